"""The report: one HTML file that stands alone, made from the marts."""
