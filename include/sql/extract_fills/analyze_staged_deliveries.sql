-- Tells the planner how many deliveries are staged.
analyze pg_temp.staged_deliveries;
