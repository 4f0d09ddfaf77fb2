create table risk.notes (
    note_id bigint generated always as identity primary key,
    account_id text check (account_id <> ''),
    session_date date,
    sentence text not null check (sentence <> '' and length(sentence) <= 2000),
    corrects bigint references risk.notes (note_id),
    user_id text not null check (user_id <> ''),
    user_name text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    check (account_id is not null or session_date is not null)
);

create index notes_accounts on risk.notes (account_id, session_date);
create index notes_sessions on risk.notes (session_date);

comment on table risk.notes is
'What persons logged in to Airflow noted about a trader, a day of his, or a day of the desk. A later note corrects an '
'earlier one, which stays. Grain: one row per note. Append only.';
comment on column risk.notes.note_id is 'Key of the note.';
comment on column risk.notes.account_id is 'Account; null = the note is about a day of the whole desk.';
comment on column risk.notes.session_date is 'Session; null = the note is about the trader, not one day of his.';
comment on column risk.notes.sentence is 'The note in the words of the person, on one line.';
comment on column risk.notes.corrects is 'Earlier note about the same that this one corrects; null = none.';
comment on column risk.notes.user_id is 'Airflow''s id of the person.';
comment on column risk.notes.user_name is 'Name of the person.';
comment on column risk.notes.recorded_at is 'When the row was recorded (committed).';
