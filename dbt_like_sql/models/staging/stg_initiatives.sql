-- Grain: one row per initiative of the municipalities in the list of sites.
-- Inputs: classified_initiatives, sites.
SELECT classified_initiatives.initiative_id, classified_initiatives.municipality, sites.type, classified_initiatives.focus_areas
FROM classified_initiatives
JOIN sites ON sites.slug = classified_initiatives.municipality
