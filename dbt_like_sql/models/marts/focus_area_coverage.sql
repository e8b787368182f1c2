-- Grain: one row per focus area.
-- Inputs: focus_areas, stg_crawls, stg_initiative_areas, corrected_estimates, published_focus_area_coverage.
-- The share is of the municipalities read; one that could not be read is in neither number.
WITH counted AS (
    SELECT focus_area, count(DISTINCT municipality) AS municipalities, count(*) AS initiatives
    FROM stg_initiative_areas
    SEMI JOIN (SELECT municipality FROM stg_crawls WHERE is_read) AS visited USING (municipality)
    GROUP BY focus_area
),

areas AS (
    SELECT
        focus_areas.position,
        focus_areas.id AS focus_area,
        focus_areas.name AS label,
        coalesce(counted.municipalities, 0) AS municipalities,
        (SELECT count(*) FROM stg_crawls WHERE is_read) AS of_sites,
        coalesce(counted.initiatives, 0) AS initiatives
    FROM focus_areas
    LEFT JOIN counted ON counted.focus_area = focus_areas.id
)

SELECT
    areas.position::BIGINT AS position,
    areas.focus_area,
    areas.label,
    areas.municipalities,
    areas.of_sites,
    areas.municipalities / nullif(areas.of_sites, 0) AS share,
    wilson_low(areas.municipalities, areas.of_sites) AS ci_low,
    wilson_high(areas.municipalities, areas.of_sites) AS ci_high,
    estimate.corrected,
    estimate.low AS corrected_low,
    estimate.high AS corrected_high,
    areas.initiatives,
    published.municipalities::BIGINT AS published_municipalities,
    (published.municipalities / published."of")::DOUBLE AS published_share
FROM areas
LEFT JOIN published_focus_area_coverage AS published ON published.focus_area = areas.focus_area
LEFT JOIN corrected_estimates AS estimate
    ON estimate.about = 'focus_area' AND estimate.item = areas.focus_area AND estimate.type = 'alle' AND estimate.unit = 'kommuner'
ORDER BY areas.position
