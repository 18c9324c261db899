"""WeCom: the robot of a group, and an app that writes to one person and hears its buttons."""
