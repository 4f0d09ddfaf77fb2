create table risk.vendor_pages (
    vendor text not null,
    question text not null,
    page_number integer not null,
    asked_at timestamptz not null,
    page_count integer not null,
    content bytea not null,
    content_sha256 text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (vendor, question, page_number)
);

comment on table risk.vendor_pages is
'Pages of the vendor''s answers that have come and are not loaded yet, so that the next try goes on where the last '
'one ended, on whichever machine. Grain: one row per vendor, question and page. Removed when they are loaded.';
comment on column risk.vendor_pages.vendor is 'Digest of the login''s name and the address it asks.';
comment on column risk.vendor_pages.question is 'What was asked, such as fills-2025-08-15.';
comment on column risk.vendor_pages.page_number is 'Number of the page, from 1.';
comment on column risk.vendor_pages.asked_at is 'When the first page of the answer was requested.';
comment on column risk.vendor_pages.page_count is 'Pages of the answer, by its trailers.';
comment on column risk.vendor_pages.content is 'Bytes of the page.';
comment on column risk.vendor_pages.content_sha256 is 'SHA-256 of the bytes.';
comment on column risk.vendor_pages.recorded_at is 'When the row was recorded (committed).';
