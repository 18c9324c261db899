"""Who runs: the loop, Prefect, the processes of `huiying run`."""
