-- Grain: one row per pair of subcategories (a before b in the alphabet) that at least three initiatives name together.
-- Inputs: stg_initiative_actors, stg_subcategory_counts.
WITH pairs AS (
    SELECT one.subcategory AS subcategory_a, other.subcategory AS subcategory_b, count(*) AS initiatives
    FROM stg_initiative_actors AS one
    JOIN stg_initiative_actors AS other
        ON other.initiative_id = one.initiative_id AND one.subcategory < other.subcategory
    GROUP BY ALL
    HAVING count(*) >= 3
)

SELECT
    pairs.subcategory_a,
    pairs.subcategory_b,
    a.label AS label_a,
    b.label AS label_b,
    a.master_label AS master_label_a,
    b.master_label AS master_label_b,
    pairs.initiatives,
    a.initiatives AS initiatives_a,
    b.initiatives AS initiatives_b
FROM pairs
JOIN stg_subcategory_counts AS a ON a.subcategory = pairs.subcategory_a
JOIN stg_subcategory_counts AS b ON b.subcategory = pairs.subcategory_b
ORDER BY pairs.subcategory_a, pairs.subcategory_b
