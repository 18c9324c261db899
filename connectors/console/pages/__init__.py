"""The console's doors, one file per kind of visitor: eyes, hands, machines, watchers."""
