create table results.quality_results (
    run_id bigint not null references risk.runs (run_id),
    check_name text not null,
    subject text not null default '',
    severity text not null check (severity in ('fail', 'warn')),
    has_passed boolean not null,
    observed text not null,
    message text not null,
    primary key (run_id, check_name, subject)
);

comment on table results.quality_results is
'Results of a run''s checks, stored before anything fails. Grain: one row per run, check and subject. The task '
'replaces its run''s rows.';
comment on column results.quality_results.run_id is 'Run the row belongs to.';
comment on column results.quality_results.check_name is 'Name of the check.';
comment on column results.quality_results.subject is
'What the result is about, such as an account or a symbol; empty = the session as a whole.';
comment on column results.quality_results.severity is 'fail stops the run, warn is reported.';
comment on column results.quality_results.has_passed is 'Whether the check passed.';
comment on column results.quality_results.observed is 'What was measured.';
comment on column results.quality_results.message is 'The result as a sentence.';
