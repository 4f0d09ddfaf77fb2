-- What all past recommendations together had been worth, as a run knew.
-- Grain: one row per run. Reads: -. Writes: ledger_results. Binds: -. Money: US dollars, gains positive.
-- Rerun: applied once; the task replaces its run's row.
-- prevented_usd: sum of the days on which the cuts helped; forgone_usd: of those on which they cost, negative.
-- uniform: everybody cut by average_cut_ratio; random: each session's cuts given to its accounts at random.
-- net and lead (net less uniform net) with a 95 % interval, null with too few sessions.
-- verdict: nothing, too few, harm, no evidence, evidence; sentences: the same for people.
create table ledger_results (
    run_id bigint primary key references runs (run_id),
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
