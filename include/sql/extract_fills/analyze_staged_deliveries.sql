-- Tells the planner how many deliveries are staged.
analyze staged_deliveries;
