create table results.rule_evidence (
    run_id bigint not null references risk.runs (run_id),
    rule_name text not null,
    firing_count integer not null,
    firing_loss_count integer not null,
    other_count integer not null,
    other_loss_count integer not null,
    difference_low_ratio double precision,
    difference_high_ratio double precision,
    verdict text not null check (verdict in ('too few', 'supports', 'contradicts', 'open')),
    sentence text not null,
    primary key (run_id, rule_name)
);

comment on table results.rule_evidence is
'How often a large loss (beyond 1.5 typical days) followed each rule of the policy on the desk''s own history, as a '
'run knew. Grain: one row per run and rule. The task replaces its run''s rows.';
comment on column results.rule_evidence.run_id is 'Run the row belongs to.';
comment on column results.rule_evidence.rule_name is 'Name of the rule in the policy.';
comment on column results.rule_evidence.firing_count is 'Trader-days after the rule fired.';
comment on column results.rule_evidence.firing_loss_count is 'Of them, large losses.';
comment on column results.rule_evidence.other_count is 'The other trader-days.';
comment on column results.rule_evidence.other_loss_count is 'Of them, large losses.';
comment on column results.rule_evidence.difference_low_ratio is
'Lower end of the 95% interval of the difference of the two shares (whole sessions resampled); null with fewer than '
'30 firings.';
comment on column results.rule_evidence.difference_high_ratio is 'Upper end.';
comment on column results.rule_evidence.verdict is
'too few; supports (interval above 0); contradicts (below 0); open.';
comment on column results.rule_evidence.sentence is 'The same for people.';
