"""From message to verdict: the chat line."""
