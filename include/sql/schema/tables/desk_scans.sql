create table results.desk_scans (
    run_id bigint not null references risk.runs (run_id),
    session_date date not null,
    account_count integer not null,
    fill_count integer not null,
    skipped_fill_count integer not null,
    self_trade_count integer not null,
    self_trades_by_chance numeric not null,
    primary key (run_id, session_date)
);

comment on table results.desk_scans is
'What a run looked at for patterns between traders. Grain: one row per run and session, the last five. The task '
'replaces its run''s rows.';
comment on column results.desk_scans.run_id is 'Run the row belongs to.';
comment on column results.desk_scans.session_date is 'Session of the fills.';
comment on column results.desk_scans.account_count is 'Accounts with fills that count here.';
comment on column results.desk_scans.fill_count is 'Fills that were compared.';
comment on column results.desk_scans.skipped_fill_count is
'Fills without a time of day or at a price of 0: not compared.';
comment on column results.desk_scans.self_trade_count is
'Pairs of fills that agree in all that the vendor''s rule names; desk_self_trades lists at most 100.';
comment on column results.desk_scans.self_trades_by_chance is
'So many a desk-year if every trader''s fills were shifted by 5 to 60 minutes.';
