-- Grain: one row per actor named in an initiative text and sentence.
-- Inputs: actor_mentions, actor_entities, stg_initiatives.
-- subcategory is 'uafklaret' for an actor no rule could place.
SELECT
    actor_mentions.mention_id,
    actor_mentions.municipality,
    actor_mentions.initiative_id,
    actor_mentions.entity_id,
    coalesce(actor_entities.subcategory, 'uafklaret') AS subcategory
FROM actor_mentions
SEMI JOIN stg_initiatives ON stg_initiatives.initiative_id = actor_mentions.initiative_id
LEFT JOIN actor_entities
    ON actor_entities.entity_id = actor_mentions.entity_id
    AND actor_entities.municipality = actor_mentions.municipality
