"""From a website to the text of its pages."""
