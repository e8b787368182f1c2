-- Grain: one row per initiative and subcategory of actors it names.
-- Inputs: stg_actor_mentions, subcategories.
-- An actor that is 'uafklaret' is in no subcategory, so it is counted elsewhere and ranked nowhere.
SELECT DISTINCT stg_actor_mentions.initiative_id, stg_actor_mentions.subcategory
FROM stg_actor_mentions
SEMI JOIN subcategories ON subcategories.id = stg_actor_mentions.subcategory
