-- Grain: one row per type of municipality, in the report's order.
-- Inputs: none. The ids are those of municipalities.csv.
SELECT position, type, label
FROM (
    VALUES (1, 'storby', 'Storby'), (2, 'forstad', 'Forstad'), (3, 'koebstad', 'Købstad'),
           (4, 'opland', 'Opland'), (5, 'landdistrikt', 'Landdistrikt')
) AS types (position, type, label)
