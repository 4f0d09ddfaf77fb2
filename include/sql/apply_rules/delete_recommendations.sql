-- Deletes what a run recommended, so that its task can decide again.
-- Writes: recommendations. Binds: run_id.
delete from results.recommendations
where recommendations.run_id = %(run_id)s;
