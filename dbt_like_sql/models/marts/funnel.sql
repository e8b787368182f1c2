-- Grain: one row per step from address to actor, in order.
-- Inputs: stg_crawls, stg_pages, stg_initiatives, stg_actor_mentions, corrected_estimates, published_funnel.
-- What is counted before the engine decides anything has nothing to correct.
-- The report counts "konkrete lokale aktører på tværs af indsatserne"; its figure stands beside our mentions.
WITH steps AS (
    SELECT 1 AS position, 'crawl_log' AS stage, 'Webadresser besøgt' AS label, NULL AS published_stage,
        (SELECT coalesce(sum(tried), 0) FROM stg_crawls) AS n
    UNION ALL
    SELECT 2, 'raw_crawl', 'Sider med ordstammen tryg', 'raw_crawl', (SELECT count(*) FROM stg_pages)
    UNION ALL
    SELECT 3, 'filtered_pages', 'Sider beholdt efter rensning', 'filtered_pages',
        (SELECT count(*) FROM stg_pages WHERE verdict = 'kept')
    UNION ALL
    SELECT 4, 'classified_initiatives', 'Tryghedsindsatser', 'classified_initiatives', (SELECT count(*) FROM stg_initiatives)
    UNION ALL
    SELECT 5, 'actor_mentions', 'Omtaler af aktører', 'actor_entities', (SELECT count(*) FROM stg_actor_mentions)
)
SELECT
    steps.position::BIGINT AS position,
    steps.stage,
    steps.label,
    steps.n::BIGINT AS n,
    estimate.corrected,
    estimate.low AS corrected_low,
    estimate.high AS corrected_high,
    published_funnel.value::BIGINT AS published_n
FROM steps
LEFT JOIN published_funnel ON published_funnel.stage = steps.published_stage
LEFT JOIN corrected_estimates AS estimate
    ON steps.stage = 'classified_initiatives' AND estimate.about = 'alle' AND estimate.type = 'alle' AND estimate.unit = 'indsatser'
ORDER BY steps.position
