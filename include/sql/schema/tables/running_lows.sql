create table derived.running_lows (
    account_id text not null,
    session_date date not null,
    running_lows_usd numeric[] not null,
    low_instants timestamptz[] not null,
    loss_from_top_usd numeric not null,
    close_usd numeric not null,
    first_fill_at timestamptz,
    last_fill_at timestamptz,
    primary key (account_id, session_date),
    -- Books that are computed again take with them what was followed along them.
    foreign key (account_id, session_date) references derived.daily_pnl (account_id, session_date) on delete cascade
);

comment on table derived.running_lows is
'Running P&L of each account-session along its own fills: total, net of fees, 0 at the previous close''s marks. A '
'cache: rebuilt from books and fills. Grain: one row per account and session whose books are complete.';
comment on column derived.running_lows.account_id is 'Account.';
comment on column derived.running_lows.session_date is 'Session the row belongs to.';
comment on column derived.running_lows.running_lows_usd is
'New lows of the running P&L as positive losses, US dollars, ascending: any limit is first reached at one of them, or '
'at the close.';
comment on column derived.running_lows.low_instants is 'When each was reached; null elements = time of day unknown.';
comment on column derived.running_lows.loss_from_top_usd is
'Largest fall from the day''s top of the running P&L, the close included, US dollars.';
comment on column derived.running_lows.close_usd is 'Total P&L of the session, US dollars.';
comment on column derived.running_lows.first_fill_at is 'First fill; null = none, a position was carried through.';
comment on column derived.running_lows.last_fill_at is 'Last fill; null = none.';
