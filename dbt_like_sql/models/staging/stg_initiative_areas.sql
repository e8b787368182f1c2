-- Grain: one row per initiative and focus area it falls in.
-- Inputs: stg_initiatives.
SELECT DISTINCT initiative_id, municipality, type, unnest(focus_areas) AS focus_area
FROM stg_initiatives
