create table results.limit_fits (
    run_id bigint not null references risk.runs (run_id),
    account_id text not null,
    base_limit_usd numeric(18, 2) not null,
    session_count integer not null,
    stopped_count integer not null,
    median_use_ratio double precision,
    high_use_ratio double precision,
    largest_use_ratio double precision,
    hit_count integer not null,
    hit_low_ratio double precision not null,
    hit_high_ratio double precision not null,
    value_at_risk_usd numeric(18, 2),
    expected_shortfall_usd numeric(18, 2),
    loss_probability numeric(6, 5),
    band_low_usd numeric(18, 2),
    band_high_usd numeric(18, 2),
    is_band_open boolean not null,
    verdict text not null check (verdict in ('limited history', 'too large', 'never reached', 'fits')),
    sentence text not null,
    warning text not null,
    proposed_limit_usd numeric(18, 2) check (proposed_limit_usd < base_limit_usd),
    primary key (run_id, account_id)
);

comment on table results.limit_fits is
'Whether each active account''s base limit fits its losses, as a run knew: the last 250 sessions whose running P&L '
'is known. Grain: one row per run and account. The task replaces its run''s rows.';
comment on column results.limit_fits.run_id is 'Run the row belongs to.';
comment on column results.limit_fits.account_id is 'Account.';
comment on column results.limit_fits.base_limit_usd is 'Limit that is reviewed, US dollars.';
comment on column results.limit_fits.session_count is 'Sessions reviewed.';
comment on column results.limit_fits.stopped_count is
'Of them, ended at a limit: the loss would have been at least that.';
comment on column results.limit_fits.median_use_ratio is 'Median of largest running loss / base limit; 1 = all of it.';
comment on column results.limit_fits.high_use_ratio is 'Its 95% quantile.';
comment on column results.limit_fits.largest_use_ratio is 'Its maximum.';
comment on column results.limit_fits.hit_count is 'Sessions whose largest running loss reached the base limit.';
comment on column results.limit_fits.hit_low_ratio is
'Lower end of the 95% interval of their share (blocks of days resampled).';
comment on column results.limit_fits.hit_high_ratio is 'Upper end.';
comment on column results.limit_fits.value_at_risk_usd is
'Forecast 95% value at risk of the effective session, at the close, US dollars; null = no forecast.';
comment on column results.limit_fits.expected_shortfall_usd is 'Forecast expected shortfall at 5%, at the close.';
comment on column results.limit_fits.loss_probability is
'Forecast probability of a loss beyond the base limit, at the close.';
comment on column results.limit_fits.band_low_usd is
'Limit that running losses would reach on 5% of days, US dollars, rounded; null = not known.';
comment on column results.limit_fits.band_high_usd is 'Limit that they would reach on 1% of days.';
comment on column results.limit_fits.is_band_open is
'Whether the upper end is "at least", because sessions were stopped.';
comment on column results.limit_fits.verdict is 'limited history, too large (losses), never reached or fits.';
comment on column results.limit_fits.sentence is 'The same for people.';
comment on column results.limit_fits.warning is 'Sentence if the forecast is likely to pass the limit, else empty.';
comment on column results.limit_fits.proposed_limit_usd is 'Lower base limit that is proposed; null = none.';
