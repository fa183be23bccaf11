package postgres

// NewestOfBusiness is for a test that has it explained.
const NewestOfBusiness = newestOfBusiness
