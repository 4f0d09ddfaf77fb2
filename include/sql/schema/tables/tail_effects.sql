create table results.tail_effects (
    run_id bigint primary key references risk.runs (run_id),
    session_count integer not null,
    day_count integer not null,
    mean_cut_ratio numeric(6, 5),
    equal_ratio numeric,
    equal_low_ratio numeric,
    equal_high_ratio numeric,
    own_ratio numeric,
    own_low_ratio numeric,
    own_high_ratio numeric,
    random_ratio numeric,
    random_p_value double precision,
    sentences text[] not null
);

comment on table results.tail_effects is
'How much smaller the worst 5% of trader-days were under the cuts reported before the open than under controls of '
'the same size, as a run knew; 0.05 = 5% smaller, negative = larger; null with fewer than 120 sessions. Grain: one '
'row per run. The task replaces its run''s row.';
comment on column results.tail_effects.run_id is 'Run the row belongs to.';
comment on column results.tail_effects.session_count is 'Sessions with a cut reported before the open and an outcome.';
comment on column results.tail_effects.day_count is 'Trader-days in them.';
comment on column results.tail_effects.mean_cut_ratio is 'Mean cut of these trader-days; 0.40 = 40%.';
comment on column results.tail_effects.equal_ratio is 'Against everybody cut by the mean.';
comment on column results.tail_effects.equal_low_ratio is 'Lower end of its 95% interval (BCa, blocks of sessions).';
comment on column results.tail_effects.equal_high_ratio is 'Upper end.';
comment on column results.tail_effects.own_ratio is 'Against each trader cut by his own mean.';
comment on column results.tail_effects.own_low_ratio is 'Lower end of its 95% interval.';
comment on column results.tail_effects.own_high_ratio is 'Upper end.';
comment on column results.tail_effects.random_ratio is 'Against each session''s cuts given to its accounts at random.';
comment on column results.tail_effects.random_p_value is 'Share of random assignments that did at least as well.';
comment on column results.tail_effects.sentences is 'The same for people.';
