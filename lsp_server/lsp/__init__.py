"""The only room that speaks LSP: everything below it counts code points and knows no editor."""
