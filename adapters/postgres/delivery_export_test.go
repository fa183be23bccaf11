package postgres

// DeliveryStatements are what the stores of the database Deliveries ask the
// server most often, or of the most rows.
var DeliveryStatements = map[string]string{
	"Delivery": selectDelivery, "ByExternal": selectExternal, "Open": selectOpen, "Save": saveDelivery,
	"Personal": selectPersonal, "SavePersonal": savePersonal, "ForgetEnded": forgetEnded, "ForgetQuotes": forgetQuotes, "TrimQuotes": trimQuotes,
	"Unsent": selectUnsent, "MarkSent": markSent, "TrimSent": trimSent,
	"Board": selectBoard, "StoreBoard": selectStoreBoard, "BusinessBoard": selectBusinessBoard, "Updates": selectUpdates,
	"Stores": selectStores, "Businesses": selectBusinesses,
}
