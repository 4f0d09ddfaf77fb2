create table results.cut_track_records (
    run_id bigint primary key references risk.runs (run_id),
    entry_count integer not null,
    live_count integer not null,
    cut_count integer not null,
    session_count integer not null,
    average_cut_ratio numeric(5, 4) not null,
    prevented_usd numeric not null,
    forgone_usd numeric not null,
    net_low_usd numeric(18, 2),
    net_high_usd numeric(18, 2),
    uniform_prevented_usd numeric not null,
    uniform_forgone_usd numeric not null,
    lead_low_usd numeric(18, 2),
    lead_high_usd numeric(18, 2),
    random_net_usd numeric(18, 2) not null,
    random_deviation_usd numeric(18, 2) not null,
    random_p_value double precision not null,
    verdict text not null check (verdict in ('nothing', 'too few', 'harm', 'no evidence', 'evidence')),
    sentences text[] not null
);

comment on table results.cut_track_records is
'What all past recommendations together had been worth, as a run knew: the cut track record. Grain: one row per '
'run. The task replaces its run''s row.';
comment on column results.cut_track_records.run_id is 'Run the row belongs to.';
comment on column results.cut_track_records.entry_count is 'Recommendations scored.';
comment on column results.cut_track_records.live_count is 'Of them, reported before the session opened.';
comment on column results.cut_track_records.cut_count is 'Of them, with a cut.';
comment on column results.cut_track_records.session_count is 'Sessions scored.';
comment on column results.cut_track_records.average_cut_ratio is 'Average cut, weighted by base limit.';
comment on column results.cut_track_records.prevented_usd is 'Sum over days on which the cuts helped, US dollars.';
comment on column results.cut_track_records.forgone_usd is 'Sum over days on which the cuts cost, negative.';
comment on column results.cut_track_records.net_low_usd is
'Lower end of the 95% interval of the net benefit; null with too few sessions.';
comment on column results.cut_track_records.net_high_usd is 'Upper end.';
comment on column results.cut_track_records.uniform_prevented_usd is
'prevented_usd if every account had been cut by average_cut_ratio.';
comment on column results.cut_track_records.uniform_forgone_usd is
'forgone_usd if every account had been cut by average_cut_ratio.';
comment on column results.cut_track_records.lead_low_usd is
'Lower end of the 95% interval of the net benefit less that of the uniform cut.';
comment on column results.cut_track_records.lead_high_usd is 'Upper end.';
comment on column results.cut_track_records.random_net_usd is
'Mean net benefit if each session''s cuts were given to its accounts at random.';
comment on column results.cut_track_records.random_deviation_usd is 'Its standard deviation.';
comment on column results.cut_track_records.random_p_value is 'Share of random assignments that did at least as well.';
comment on column results.cut_track_records.verdict is 'nothing, too few, harm, no evidence or evidence.';
comment on column results.cut_track_records.sentences is 'The same for people.';
