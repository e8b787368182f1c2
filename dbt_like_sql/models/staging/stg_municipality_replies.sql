-- Grain: one row per municipality in the list of sites that has replied.
-- Inputs: municipality_replies, sites.
SELECT
    municipality_replies.municipality,
    count(*) FILTER (WHERE answer = 'agree') AS agreed,
    count(*) FILTER (WHERE answer = 'disagree') AS disagreed,
    count(*) FILTER (WHERE answer = 'missing') AS missed
FROM municipality_replies
JOIN sites ON sites.slug = municipality_replies.municipality
GROUP BY municipality_replies.municipality
