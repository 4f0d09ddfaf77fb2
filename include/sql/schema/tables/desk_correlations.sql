create table results.desk_correlations (
    run_id bigint not null references risk.runs (run_id),
    account_id text not null,
    other_account_id text not null,
    session_count integer not null,
    correlation_ratio numeric,
    low_ratio numeric,
    high_ratio numeric,
    primary key (run_id, account_id, other_account_id)
);

comment on table results.desk_correlations is
'Rank correlation of the daily results of two accounts over the last 250 sessions, of the 30 accounts with the largest '
'results. Grain: one row per run and pair, the names ascending. The task replaces its run''s rows.';
comment on column results.desk_correlations.run_id is 'Run the row belongs to.';
comment on column results.desk_correlations.account_id is 'First account.';
comment on column results.desk_correlations.other_account_id is 'Second account.';
comment on column results.desk_correlations.session_count is 'Sessions in which both traded with complete books.';
comment on column results.desk_correlations.correlation_ratio is
'Spearman''s rank correlation, -1 to 1; null with fewer than 20 sessions.';
comment on column results.desk_correlations.low_ratio is 'Lower end of its 95% interval.';
comment on column results.desk_correlations.high_ratio is 'Upper end.';
