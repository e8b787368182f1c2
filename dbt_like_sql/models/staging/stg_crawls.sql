-- Grain: one row per municipality in the list of sites.
-- Inputs: sites, crawl_log.
-- A municipality is read when at least one page answered with text that could be searched for the stem.
SELECT
    sites.slug AS municipality,
    sites.type,
    count(crawl_log.url) AS tried,
    count(*) FILTER (WHERE crawl_log.outcome IN ('hit', 'no_stem')) > 0 AS is_read,
    max(crawl_log.fetched_at) AS last_crawl
FROM sites
LEFT JOIN crawl_log ON crawl_log.municipality = sites.slug
GROUP BY ALL
