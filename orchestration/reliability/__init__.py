"""How reliable the tables are, by figures: indicators, objectives, and how often to check."""
