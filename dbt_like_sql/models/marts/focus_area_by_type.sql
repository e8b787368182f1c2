-- Grain: one row per focus area and type of municipality.
-- Inputs: focus_areas, stg_municipality_types, stg_crawls, stg_initiative_areas, corrected_estimates, published_focus_area_by_type.
-- The share is of the municipalities of that type that were read.
WITH visited AS (
    SELECT municipality, type FROM stg_crawls WHERE is_read
),

counted AS (
    SELECT focus_area, type, count(DISTINCT municipality) AS municipalities
    FROM stg_initiative_areas
    SEMI JOIN visited USING (municipality)
    GROUP BY focus_area, type
),

cells AS (
    SELECT
        focus_areas.position,
        focus_areas.id AS focus_area,
        focus_areas.name AS label,
        types.position AS type_position,
        types.type,
        types.label AS type_label,
        coalesce(counted.municipalities, 0) AS municipalities,
        (SELECT count(*) FROM visited WHERE visited.type = types.type) AS of_sites
    FROM focus_areas
    CROSS JOIN stg_municipality_types AS types
    LEFT JOIN counted ON counted.focus_area = focus_areas.id AND counted.type = types.type
)

SELECT
    cells.position::BIGINT AS position,
    cells.focus_area,
    cells.label,
    cells.type_position::BIGINT AS type_position,
    cells.type,
    cells.type_label,
    cells.municipalities,
    cells.of_sites,
    cells.municipalities / nullif(cells.of_sites, 0) AS share,
    wilson_low(cells.municipalities, cells.of_sites) AS ci_low,
    wilson_high(cells.municipalities, cells.of_sites) AS ci_high,
    estimate.corrected,
    estimate.low AS corrected_low,
    estimate.high AS corrected_high,
    (published.share_pct / 100)::DOUBLE AS published_share
FROM cells
LEFT JOIN published_focus_area_by_type AS published
    ON published.focus_area = cells.focus_area AND published.type = cells.type
LEFT JOIN corrected_estimates AS estimate
    ON estimate.about = 'focus_area' AND estimate.item = cells.focus_area AND estimate.type = cells.type AND estimate.unit = 'kommuner'
ORDER BY cells.position, cells.type_position
