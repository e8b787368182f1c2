-- Grain: one row per rank, 1 to 20: the subcategories of actors that most initiatives name.
-- Inputs: stg_subcategory_counts, stg_initiatives, corrected_estimates, published_top_actors.
-- Initiatives cannot be corrected from coded pages, so the pages that name the actor stand beside, by the machine and corrected.
-- Equal counts are ranked by id, so that the order is the same every time.
WITH ranked AS (
    SELECT
        row_number() OVER (ORDER BY initiatives DESC, subcategory) AS rank,
        *,
        (SELECT count(*) FROM stg_initiatives) AS of_initiatives
    FROM stg_subcategory_counts
)

SELECT
    ranked.rank,
    ranked.subcategory,
    ranked.label,
    ranked.master_category,
    ranked.master_label,
    ranked.initiatives,
    ranked.of_initiatives,
    ranked.initiatives / ranked.of_initiatives AS share,
    wilson_low(ranked.initiatives, ranked.of_initiatives) AS ci_low,
    wilson_high(ranked.initiatives, ranked.of_initiatives) AS ci_high,
    estimate.machine AS pages,
    estimate.corrected AS pages_corrected,
    estimate.low AS pages_low,
    estimate.high AS pages_high,
    published.rank::BIGINT AS published_rank,
    (published.share_pct / 100)::DOUBLE AS published_share
FROM ranked
LEFT JOIN published_top_actors AS published ON published.subcategory = ranked.subcategory
LEFT JOIN corrected_estimates AS estimate
    ON estimate.about = 'actor' AND estimate.item = ranked.subcategory AND estimate.type = 'alle' AND estimate.unit = 'sider'
WHERE ranked.rank <= 20
ORDER BY ranked.rank
