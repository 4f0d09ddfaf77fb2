create table results.trader_fits (
    run_id bigint not null references risk.runs (run_id),
    trader_name text not null,
    account_ids text[] not null,
    base_limit_usd numeric(18, 2) not null,
    session_count integer not null,
    stopped_count integer not null,
    close_use_ratio double precision,
    lows_use_ratio double precision,
    close_hit_count integer not null,
    lows_hit_count integer not null,
    close_hit_low_ratio double precision not null,
    lows_hit_high_ratio double precision not null,
    band_low_usd numeric(18, 2),
    band_high_usd numeric(18, 2),
    verdict text not null check (
        verdict in ('limited history', 'too large', 'never reached', 'fits', 'not known')
    ),
    sentence text not null,
    primary key (run_id, trader_name)
);

comment on table results.trader_fits is
'Whether the base limits of a trader with several accounts fit his losses together, as a run knew: the last 250 '
'sessions. Grain: one row per run and trader. The task replaces its run''s rows.';
comment on column results.trader_fits.run_id is 'Run the row belongs to.';
comment on column results.trader_fits.trader_name is 'Person who trades the accounts, by the roster.';
comment on column results.trader_fits.account_ids is 'His accounts that get a limit, two or more, by name.';
comment on column results.trader_fits.base_limit_usd is 'Sum of their base limits, US dollars.';
comment on column results.trader_fits.session_count is
'Sessions reviewed: those in which one of them traded, all books complete.';
comment on column results.trader_fits.stopped_count is
'Of them, an account ended at its limit: the loss would have been at least that.';
comment on column results.trader_fits.close_use_ratio is
'Largest loss at the close, all accounts added up, over the base limits'' sum; 1 = all of it; null = no session.';
comment on column results.trader_fits.lows_use_ratio is
'The same if every account had been at its own low at once: the use is in between.';
comment on column results.trader_fits.close_hit_count is 'Sessions whose loss at the close reached the sum.';
comment on column results.trader_fits.lows_hit_count is
'Sessions whose added lows reached it: limit hits are in between.';
comment on column results.trader_fits.close_hit_low_ratio is
'Lower end of the 95% interval of the share of close_hit_count.';
comment on column results.trader_fits.lows_hit_high_ratio is
'Upper end of the 95% interval of the share of lows_hit_count.';
comment on column results.trader_fits.band_low_usd is
'Limit that the losses at the close would reach on 5% of days, US dollars, rounded; null = not known.';
comment on column results.trader_fits.band_high_usd is 'Limit that the added lows would reach on 1% of days.';
comment on column results.trader_fits.verdict is
'limited history, too large (losses), never reached, fits; not known = the two ends give different verdicts.';
comment on column results.trader_fits.sentence is 'The same for people.';
