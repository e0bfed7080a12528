"""The campus service: pages, exchange, competence API."""
