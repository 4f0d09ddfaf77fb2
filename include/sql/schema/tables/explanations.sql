create table results.explanations (
    run_id bigint not null references risk.runs (run_id),
    account_id text not null,
    log_loss double precision not null,
    contributions jsonb not null,
    sentences text[] not null,
    primary key (run_id, account_id)
);

comment on table results.explanations is
'Why a forecast is what it is. Grain: one row per run and account. The task replaces its run''s rows.';
comment on column results.explanations.run_id is 'Run the row belongs to.';
comment on column results.explanations.account_id is 'Account.';
comment on column results.explanations.log_loss is 'Logarithm of the forecast loss in US dollars.';
comment on column results.explanations.contributions is
'Contribution of each feature or part; they add up to log_loss.';
comment on column results.explanations.sentences is 'The same for people.';
