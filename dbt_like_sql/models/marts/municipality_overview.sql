-- Grain: one row per municipality in the list of sites.
-- Inputs: sites, stg_municipality_types, stg_crawls, stg_pages, stg_initiatives, stg_actor_mentions, stg_municipality_replies.
-- "ingen sider" is a result: the website was read, and no page of it has the stem.
WITH pages AS (
    SELECT municipality, count(*) AS hits, count(*) FILTER (WHERE verdict = 'kept') AS kept
    FROM stg_pages
    GROUP BY municipality
),

initiatives AS (
    SELECT municipality, count(*) AS initiatives FROM stg_initiatives GROUP BY municipality
),

actors AS (
    SELECT municipality, count(DISTINCT entity_id) AS actors FROM stg_actor_mentions GROUP BY municipality
)

SELECT
    sites.slug AS municipality,
    sites.name,
    sites.type,
    types.label AS type_label,
    sites.region,
    stg_crawls.tried,
    coalesce(pages.hits, 0) AS hits,
    coalesce(pages.kept, 0) AS kept,
    coalesce(initiatives.initiatives, 0) AS initiatives,
    coalesce(actors.actors, 0) AS actors,
    coalesce(replies.agreed, 0) AS agreed,
    coalesce(replies.disagreed, 0) AS disagreed,
    coalesce(replies.missed, 0) AS missed,
    stg_crawls.last_crawl,
    CASE
        WHEN NOT stg_crawls.is_read THEN 'ikke læst'
        WHEN coalesce(pages.hits, 0) = 0 THEN 'ingen sider'
        ELSE 'læst'
    END AS status
FROM sites
JOIN stg_crawls ON stg_crawls.municipality = sites.slug
JOIN stg_municipality_types AS types ON types.type = sites.type
LEFT JOIN pages ON pages.municipality = sites.slug
LEFT JOIN initiatives ON initiatives.municipality = sites.slug
LEFT JOIN actors ON actors.municipality = sites.slug
LEFT JOIN stg_municipality_replies AS replies ON replies.municipality = sites.slug
ORDER BY sites.slug
