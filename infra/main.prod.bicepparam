// Production. What only the controller knows comes from the environment of the deployment, and has no default:
// a deployment without it fails before it changes anything.
using './main.bicep'

param environmentName = 'prod'
param isFirstDeployment = bool(readEnvironmentVariable('FIRST_DEPLOYMENT', 'false'))
param createSystemsOfRecord = false
param cosmosName = readEnvironmentVariable('DATABASE_ACCOUNT')
param dataStorageName = readEnvironmentVariable('DATA_STORAGE_ACCOUNT')
param cosmosCapacity = 'autoscale'
param cosmosAutoscaleMaximum = 4000
// a tenth of the database for what nobody waits for, and outside the hours in which people work
param retentionUnitsPerSecond = 400
param retentionRequestsPerSecond = 100
param retentionQuietHours = '07:00-18:00'
param isZoneRedundant = true
param storageRedundancy = 'Standard_ZRS'
param cosmosBackupDays = 7
param blobSoftDeleteDays = 7
param evidenceDays = 1095
param logDays = int(readEnvironmentVariable('LOG_DAYS'))
param sentMailDays = int(readEnvironmentVariable('SENT_MAIL_DAYS'))
param usePrivateNetwork = true
param alwaysReady = [{ name: 'http', instanceCount: 1 }]
param alarmEmail = readEnvironmentVariable('ALARM_EMAIL')
param deployerPrincipalId = readEnvironmentVariable('DEPLOYER_PRINCIPAL_ID', '')
param publicUrl = readEnvironmentVariable('PUBLIC_URL', '')
param controllerName = readEnvironmentVariable('CONTROLLER_NAME')
param controllerAddress = readEnvironmentVariable('CONTROLLER_ADDRESS')
param controllerEmail = readEnvironmentVariable('CONTROLLER_EMAIL')
param contactsVerifiedOn = readEnvironmentVariable('CONTACTS_VERIFIED_ON')
param graphMailbox = readEnvironmentVariable('GRAPH_MAILBOX')
param staffClientId = readEnvironmentVariable('STAFF_CLIENT_ID')
param staffCustomers = readEnvironmentVariable('STAFF_CUSTOMERS', '{}')
param systemKeyDigest = readEnvironmentVariable('SYSTEM_KEY_SHA256', '')
param campaignMonitorClientId = readEnvironmentVariable('CAMPAIGN_MONITOR_CLIENT_ID', '')
param campaignMonitorLists = readEnvironmentVariable('CAMPAIGN_MONITOR_LISTS', '[]')
param webhookDigests = readEnvironmentVariable('CAMPAIGN_MONITOR_WEBHOOK_SECRETS_SHA256', '')
param googleAnalyticsPropertyId = readEnvironmentVariable('GOOGLE_ANALYTICS_PROPERTY_ID', '')
param googleAudience = readEnvironmentVariable('GOOGLE_AUDIENCE', '')
param googleServiceAccount = readEnvironmentVariable('GOOGLE_SERVICE_ACCOUNT', '')
param googleAzureResource = readEnvironmentVariable('GOOGLE_AZURE_RESOURCE', '')
param opendsrCertificate = readEnvironmentVariable('OPENDSR_CERTIFICATE', '')
