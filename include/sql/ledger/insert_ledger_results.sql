-- Stores what all past recommendations together had been worth, as a run knows.
-- Grain: one row. Reads: -. Writes: ledger_results. Binds: run_id and the columns. Money: US dollars.
-- Rerun: after delete_ledger_results, the same row.
insert into ledger_results (
    run_id,
    entry_count,
    live_count,
    cut_count,
    session_count,
    average_cut_ratio,
    prevented_usd,
    forgone_usd,
    net_low_usd,
    net_high_usd,
    uniform_prevented_usd,
    uniform_forgone_usd,
    lead_low_usd,
    lead_high_usd,
    random_net_usd,
    random_deviation_usd,
    random_p_value,
    verdict,
    sentences
)
values (
    %(run_id)s,
    %(entry_count)s,
    %(live_count)s,
    %(cut_count)s,
    %(session_count)s,
    %(average_cut_ratio)s,
    %(prevented_usd)s,
    %(forgone_usd)s,
    %(net_low_usd)s,
    %(net_high_usd)s,
    %(uniform_prevented_usd)s,
    %(uniform_forgone_usd)s,
    %(lead_low_usd)s,
    %(lead_high_usd)s,
    %(random_net_usd)s,
    %(random_deviation_usd)s,
    %(random_p_value)s,
    %(verdict)s,
    %(sentences)s
);
