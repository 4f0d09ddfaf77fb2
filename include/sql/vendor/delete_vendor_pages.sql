-- Forgets pages of a vendor's answers.
-- Grain: -. Writes: vendor_pages. Binds: vendor, question (null = all of them).
delete from risk.vendor_pages
where
    vendor_pages.vendor = %(vendor)s
    and (%(question)s::text is null or vendor_pages.question = %(question)s);
