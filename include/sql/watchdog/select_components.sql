-- Reads when Airflow's scheduler and dag-processor last gave a sign of life (Airflow's own database).
-- Grain: one row per kind of job. Reads: job. Writes: -. Binds: -. Money: -. Rerun: reads only.
select
    job.job_type,
    max(job.latest_heartbeat) filter (where job.state = 'running') as beat_at
from job
where job.job_type in ('SchedulerJob', 'DagProcessorJob')
group by job.job_type
order by job.job_type asc;
