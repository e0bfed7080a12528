"""The history of our tables; each revision goes up, and says how to go back."""
