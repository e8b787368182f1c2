-- Grain: one row per subcategory of actors that at least one initiative names.
-- Inputs: stg_initiative_actors, subcategories.
SELECT
    subcategories.id AS subcategory,
    subcategories.name AS label,
    subcategories.master AS master_category,
    subcategories.master_name AS master_label,
    count(*) AS initiatives
FROM stg_initiative_actors
JOIN subcategories ON subcategories.id = stg_initiative_actors.subcategory
GROUP BY ALL
