-- Grain: one row per page with the stem, of the municipalities in the list of sites.
-- Inputs: raw_crawl, filtered_pages, sites.
-- verdict is null for a page that is not cleaned yet: it is a hit, but neither kept nor dropped.
SELECT raw_crawl.page_id, raw_crawl.municipality, filtered_pages.verdict, filtered_pages.reason
FROM raw_crawl
SEMI JOIN sites ON sites.slug = raw_crawl.municipality
LEFT JOIN filtered_pages ON filtered_pages.page_id = raw_crawl.page_id
