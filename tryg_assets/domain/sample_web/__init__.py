"""The sample Denmark: 98 made-up municipal websites, written for this project."""
