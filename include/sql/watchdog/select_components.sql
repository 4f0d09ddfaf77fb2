-- Reads the last heartbeat of Airflow's scheduler and dag-processor (Airflow's database).
-- Grain: one row per kind of job. Reads: job.
select
    job.job_type,
    max(job.latest_heartbeat) as beat_at,
    bool_or(job.state = 'running') as is_running
from public.job
where job.job_type in ('SchedulerJob', 'DagProcessorJob')
group by job.job_type
order by job.job_type asc;
