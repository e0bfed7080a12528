"""What every part of the product shares: settings, tables, wire models, text, commands."""
