-- Schemas of the warehouse. A point-in-time run has its own derived, named run_<run_id>, until its report.
create schema risk;
create schema derived;
create schema results;

comment on schema risk is
'Inputs, decisions of people, runs and reports, and all functions; append only, except for the calendar and mail '
'attempts.';
comment on schema derived is 'What is computed from the inputs as currently known; can be rebuilt.';
comment on schema results is 'What a run found and recommends; a task replaces the rows of its run.';
