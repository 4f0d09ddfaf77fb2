-- Stores what past cuts have done to the tail, as known to a run.
-- Grain: one row per run. Writes: tail_effects. Binds: run_id and the columns. Rerun: replaces the run's row.
insert into results.tail_effects (
    run_id,
    session_count,
    day_count,
    mean_cut_ratio,
    equal_ratio,
    equal_low_ratio,
    equal_high_ratio,
    own_ratio,
    own_low_ratio,
    own_high_ratio,
    random_ratio,
    random_p_value,
    sentences
)
values (
    %(run_id)s,
    %(session_count)s,
    %(day_count)s,
    %(mean_cut_ratio)s,
    %(equal_ratio)s,
    %(equal_low_ratio)s,
    %(equal_high_ratio)s,
    %(own_ratio)s,
    %(own_low_ratio)s,
    %(own_high_ratio)s,
    %(random_ratio)s,
    %(random_p_value)s,
    %(sentences)s
)
on conflict (run_id) do update
    set
        session_count = excluded.session_count,
        day_count = excluded.day_count,
        mean_cut_ratio = excluded.mean_cut_ratio,
        equal_ratio = excluded.equal_ratio,
        equal_low_ratio = excluded.equal_low_ratio,
        equal_high_ratio = excluded.equal_high_ratio,
        own_ratio = excluded.own_ratio,
        own_low_ratio = excluded.own_low_ratio,
        own_high_ratio = excluded.own_high_ratio,
        random_ratio = excluded.random_ratio,
        random_p_value = excluded.random_p_value,
        sentences = excluded.sentences;
