-- Verdicts of a run's checks, stored before anything fails.
-- Grain: one row per run, check and subject. Reads: -. Writes: quality_results. Binds: -. Money: -.
-- Rerun: applied once; the task replaces its run's rows.
-- subject: what the verdict is about, such as an account or a symbol; '' = the session as a whole.
create table quality_results (
    run_id bigint not null references runs (run_id),
    check_name text not null,
    subject text not null default '',
    severity text not null check (severity in ('fail', 'warn')),
    has_passed boolean not null,
    observed text not null,
    message text not null,
    primary key (run_id, check_name, subject)
);
