-- Grain: one row per reason a page with the stem may be dropped for, those that dropped none included.
-- Inputs: stg_pages.
SELECT reasons.reason, reasons.label, count(stg_pages.page_id) AS n
FROM (
    VALUES ('empty', 'Næsten ingen tekst'), ('soft_404', 'Siden findes ikke længere'), ('not_danish', 'Ikke på dansk'),
           ('noise_word', 'Ordet betyder noget andet (fx trykimprægneret)'), ('name_only', 'Kun et navn (fx TrygFonden)'),
           ('job_ad', 'Jobopslag'), ('before_2020', 'Fra før 2020'), ('duplicate_of', 'Dublet af en anden side')
) AS reasons (reason, label)
LEFT JOIN stg_pages ON stg_pages.reason = reasons.reason AND stg_pages.verdict = 'dropped'
GROUP BY ALL
ORDER BY reasons.reason
