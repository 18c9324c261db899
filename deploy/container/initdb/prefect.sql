-- Run once by the database's own image, when its volume is new: Prefect has a database of its own beside ours.
CREATE DATABASE prefect;
